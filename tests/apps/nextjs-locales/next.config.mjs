export default { basePath: "/shop", output: "standalone" };
