export default defineEventHandler(() => ({ word: "nuxt" }));
