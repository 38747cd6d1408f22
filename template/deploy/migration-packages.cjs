// Copies packages of development from /app to /migrator while an image is built: those that are
// named, which run the migrations, and what they need, as they were installed. Each stays where it
// lies in node_modules, and so do links, as pnpm makes them.

const fs = require("fs");
const path = require("path");

const seen = new Set();

const place = (file) => path.join("/migrator", path.relative("/app", file));

const link = (target, file) => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (!fs.existsSync(file)) fs.symlinkSync(path.relative(path.dirname(file), target), file);
};

// Copies the package that `name` means to code in the folder `from`; where it lies, or null.
const take = (name, from) => {
    const found = path.join(from, "node_modules", name);
    if (!fs.existsSync(found)) return from === "/" ? null : take(name, path.dirname(from));
    const real = fs.realpathSync(found);
    if (found !== real) link(place(real), place(found));
    if (seen.has(real)) return real;
    seen.add(real);
    const filter = (file) => path.basename(file) !== "node_modules" || file === real;
    fs.cpSync(real, place(real), { recursive: true, verbatimSymlinks: true, filter });
    const own = JSON.parse(fs.readFileSync(path.join(real, "package.json")));
    const needed = { ...own.peerDependencies, ...own.optionalDependencies, ...own.dependencies };
    const optional = own.peerDependenciesMeta || {};
    for (const inner in needed) if (!(optional[inner] || {}).optional) take(inner, real);
    return real;
};

for (const name of process.argv.slice(2)) {
    const real = take(name, "/app");
    if (!real) throw new Error(`${name} is not installed`);
    const { bin = {} } = JSON.parse(fs.readFileSync(path.join(real, "package.json")));
    const programs = typeof bin === "string" ? { [path.basename(name)]: bin } : bin;
    for (const program in programs) {
        const file = place(path.join(real, programs[program]));
        link(file, path.join("/migrator/node_modules/.bin", program));
        fs.chmodSync(file, 0o755);
    }
}
