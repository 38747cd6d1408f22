import type { NextConfig } from "next";

const config: NextConfig = { transpilePackages: ["@repo/ui"] };

export default config;
