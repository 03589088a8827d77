import { defineConfig } from "vitest/config";

const folders = "{api,generator,edge,mirror,hex,proto,schemas,store,cli}";

export default defineConfig({
  test: {
    projects: [{ test: { name: "unit", include: [`${folders}/**/*.test.ts`] } }],
  },
});
