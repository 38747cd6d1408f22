import { defineConfig } from "vitepress";
export default defineConfig({ title: "Docs", cleanUrls: true, themeConfig: { nav: [{ text: "Home", link: "/" }] } });
