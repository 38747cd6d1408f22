Object.assign(globalThis, { instrumented: true });
