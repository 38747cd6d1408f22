import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
const typeDefs = `#graphql
 type Query { hello: String }`;
const server = new ApolloServer({ typeDefs, resolvers: { Query: { hello: () => "world" } } });
const { url } = await startStandaloneServer(server, { listen: { port: 4000 } });
console.log(`Server ready at ${url}`);
