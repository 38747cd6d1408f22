# What `fly launch` writes for Node with npm, in our own words.
# From files it wrote in public repositories: a build stage with a compiler, everything installed,
# the build, then what development needs taken away, and the whole folder in a slim image, as root.
ARG NODE_VERSION=20
FROM node:${NODE_VERSION}-slim AS base
WORKDIR /app
ENV NODE_ENV=production

FROM base AS build
RUN apt-get update -qq \
    && apt-get install --no-install-recommends -y build-essential node-gyp pkg-config python-is-python3
COPY package-lock.json package.json ./
RUN npm ci --include=dev
COPY . .
RUN npm run build
RUN npm prune --omit=dev

FROM base
COPY --from=build /app /app
EXPOSE 3000
CMD ["npm", "run", "start"]
