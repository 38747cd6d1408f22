import { defineConfig } from 'vite';

export default defineConfig({ build: { sourcemap: true, assetsInlineLimit: 0 } });
