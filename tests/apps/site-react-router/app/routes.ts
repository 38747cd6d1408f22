import { type RouteConfig, index, route } from "@react-router/dev/routes";
export default [index("routes/home.tsx"), route("orders/:id", "routes/order.tsx")] satisfies RouteConfig;
