import { defineConfig } from 'astro/config';

export default defineConfig({ base: '/shop', build: { inlineStylesheets: 'never' } });
