// Copies packages of development from /app to /migrator while an image is built: those that code in
// a folder means by these names, which run the migrations, and what they need, as they were
// installed. Each stays where it lies in node_modules, and so do links, as pnpm makes them.
//   node migration-packages.cjs FOLDER NAME…

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

const [folder, ...names] = process.argv.slice(2);
for (const name of names) {
    const real = take(name, folder);
    if (!real) throw new Error(`${name} is not installed`);
    // In pnpm's store, packages find each other also where none declares the other.
    const store = real.lastIndexOf("/.pnpm/");
    if (store >= 0) {
        const shared = path.join(real.slice(0, store), ".pnpm/node_modules", name);
        link(place(real), place(shared));
    }
    const { bin = {} } = JSON.parse(fs.readFileSync(path.join(real, "package.json")));
    const programs = typeof bin === "string" ? { [path.basename(name)]: bin } : bin;
    for (const program in programs) {
        const file = place(path.join(real, programs[program]));
        link(file, path.join(place(folder), "node_modules/.bin", program));
        fs.chmodSync(file, 0o755);
    }
}
