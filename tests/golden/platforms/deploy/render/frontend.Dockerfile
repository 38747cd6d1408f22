# Production image of the Next.js app in frontend/, for Render. Build it from the project's top folder:
#   docker build --file deploy/render/frontend.Dockerfile --tag all-frontend .
# As Dockerfile.frontend.prod, with `http://` before the API's address: what you change in one belongs in the other.

# It can be pinned by digest: --build-arg NODE_IMAGE=node:20-alpine@sha256:…
ARG NODE_IMAGE=node:20-alpine

# --- Dependencies: a layer of their own, built anew only when their list changes -----------------
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY frontend/package.json ./
RUN --mount=type=cache,id=npm,target=/root/.npm \
    npm install --no-audit --no-fund && mkdir -p node_modules

# --- Build ---------------------------------------------------------------------------------------
FROM dependencies AS build
COPY frontend/ ./
# Fails the build if a secret got in, whatever becomes of deploy/render/frontend.Dockerfile.dockerignore.
# The code is made readable for the app's user and for shells, whatever umask or line ends the checkout has.
RUN secrets=$(find . -path ./node_modules -prune -o \( -name .git \
        -o -name .env -o -name '.env.*' -o -name secrets.env -o -name secrets.json -o -name secrets.toml \
        -o -name secrets.yaml -o -name secrets.yml -o -name credentials.json \
        -o -name 'service-account*.json' -o -name kubeconfig -o -name '*.tfstate' -o -path '*/.aws/*' \
        -o -name .netrc -o -name .pgpass -o -name .git-credentials -o -name .pypirc -o -name .npmrc \
        -o -name .yarnrc -o -name .yarnrc.yml -o -name bunfig.toml -o -name pip.conf -o -name 'id_rsa*' \
        -o -name 'id_dsa*' -o -name 'id_ecdsa*' -o -name 'id_ed25519*' -o -path '*/.ssh/*' \
        -o -name '*.key' -o -name '*.pem' -o -name '*.p12' -o -name '*.pfx' -o -name '*.jks' \
        -o -name '*.keystore' -o -name '*.sqlite3' -o -name dump.sql \
        \) -print) \
    && if [ -n "$secrets" ]; then echo "Must not enter the image: $secrets" >&2; exit 1; fi \
    && find . -path ./node_modules -prune -o -exec chmod a+rX,go-w {} + \
    && find . -path ./node_modules -prune -o -name '*.sh' -type f -exec sed -i 's/\r$//' {} +
ENV NEXT_TELEMETRY_DISABLED=1
# Baked into the build, so they are arguments and not run-time settings.
ARG NEXT_PUBLIC_API_URL
ARG NEXT_PUBLIC_API_VERSION
ARG NEXT_PUBLIC_APP_NAME
ARG NEXT_PUBLIC_APP_VERSION
ARG NEXT_PUBLIC_APP_ENV
ARG NEXT_PUBLIC_GA_ID
ARG NEXT_PUBLIC_VERCEL_ANALYTICS
ARG NEXT_PUBLIC_SENTRY_DSN
ARG NEXT_PUBLIC_IMAGE_DOMAINS
ARG NEXT_PUBLIC_IMAGE_SIZES
ARG NEXT_PUBLIC_FEATURE_DARK_MODE
ARG NEXT_PUBLIC_FEATURE_NOTIFICATIONS
ARG NEXT_PUBLIC_FEATURE_BETA_FEATURES
ARG NEXT_PUBLIC_DEV_MODE
ARG NEXT_PUBLIC_DEBUG
ARG NEXT_PUBLIC_FAST_REFRESH
ARG NEXT_PUBLIC_OPTIMIZE_IMAGES
ARG NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY
ARG BACKEND_URL="http://api:8000"
RUN --mount=type=cache,id=all-next,target=/app/.next/cache \
    case "$BACKEND_URL" in '' | *://*) ;; *) export BACKEND_URL="http://$BACKEND_URL" ;; esac \
    && npm run build && mkdir -p public

# --- What runs in production ---------------------------------------------------------------------
FROM ${NODE_IMAGE} AS final
COPY --chmod=0555 deploy/entrypoint.sh /usr/local/bin/entrypoint
# A user without password, shell or rights, numeric so that a cluster can see it is not root.
# No shell reads the line ends that a checkout on Windows may have.
RUN echo 'app:x:10001:10001::/home/app:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'app:x:10001:' >> /etc/group \
    && install -d -o 10001 -g 10001 /home/app \
    && sed -i 's/\r$//' /usr/local/bin/entrypoint
WORKDIR /app
COPY --from=build /app/public ./public
COPY --from=build /app/.next/standalone ./
COPY --from=build /app/.next/static ./.next/static
RUN install -d -o 10001 -g 10001 .next/cache
# HOSTNAME is the address to listen on; Docker would fill in the container's own name.
# HOME is one that can be written to.
ENV NODE_ENV=production \
    HOME=/tmp \
    NEXT_TELEMETRY_DISABLED=1 \
    HOSTNAME=0.0.0.0 \
    PORT=3000
ARG REVISION=unknown
LABEL org.opencontainers.image.title="all-frontend" \
    org.opencontainers.image.base.name="node:20-alpine" \
    org.opencontainers.image.revision=${REVISION}
USER 10001:10001
EXPOSE 3000
# Asks as a visitor of the site would: by its name (HEALTH_HOST), as if by HTTPS.
HEALTHCHECK --interval=30s --timeout=6s --retries=3 --start-period=60s --start-interval=1s \
    CMD ["node", "-e", "const n = (process.env.HEALTH_HOST || '').replace(/^[a-z]+:[/][/]|[/, ].*/g, '').replace('*', 'www'); require('http').get({host: require('os').hostname(), port: process.env.PORT, path: '/api/health', headers: {...(n && {Host: n}), 'X-Forwarded-Proto': 'https'}}, r => process.exit(r.statusCode < 400 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["entrypoint"]
CMD ["node", "server.js"]
