import { env } from "$env/dynamic/public";

export const load = ({ url }) => ({ origin: url.origin, greeting: env.PUBLIC_GREETING });
export const actions = {
  default: async ({ request }) => ({ name: (await request.formData()).get("name") }),
};
