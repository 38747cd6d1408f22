// Evaluates .railway/railway.ts files as Railway's program does, and prints the graph of each by its path.
//   node railway.mjs FILE...
import { pathToFileURL } from "node:url";
import { createRailwayContext, indexGraph, validateGraph } from "railway/iac";

const context = createRailwayContext({ command: "plan", environment: "production" });
const graphs = {};
for (const file of process.argv.slice(2)) {
  const program = (await import(pathToFileURL(file).href)).default;
  const project = await program(context);
  const edges = [];
  for (const resource of project.resources) {
    for (const [key, variable] of Object.entries(resource.variables ?? {})) {
      if (variable.type === "reference") edges.push({ from: resource.address, to: variable.resource, type: "variable", key });
    }
    for (const { volume } of Object.values(resource.volumeAttachments ?? {})) {
      edges.push({ from: resource.address, to: volume, type: "mount" });
    }
  }
  const graph = { version: 1, project: { name: project.name }, environments: [], resources: project.resources, edges };
  graphs[file] = { ...graph, errors: validateGraph(graph), size: indexGraph(graph).byAddress.size };
}
process.stdout.write(JSON.stringify(graphs));
