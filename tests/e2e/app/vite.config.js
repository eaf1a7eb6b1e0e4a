import { defineConfig } from 'vite';

// Asset names carry a hash of their content, so that they may be cached for ever; index.html names them.
export default defineConfig({
  define: { __VERSION__: JSON.stringify(process.env.APP_VERSION ?? '0') },
  build: { target: 'es2022' },
});
