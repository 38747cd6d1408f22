// api-only on Railway; deploy/railway/README.md has the first steps. What would change, and then do it:
//   railway config plan --file ops/production/.railway/railway.ts
//   railway config apply --file ops/production/.railway/railway.ts
//
// preserve() keeps what is set in Railway, so that no secret is in this file.
// watchPatterns are for a connected repository: which changes are worth a deployment.
import { defineRailway, image, preserve, project, redis, service, volume } from "railway/iac";

export default defineRailway(() => {
  // From Railway's templates, each with a volume.
  const redisService = redis("redis");

  // PostgreSQL, which Railway does not offer with these extensions: its image, with a volume.
  const postgresVolume = volume("postgres-data");
  const postgresService = service("postgres", {
    source: image("pgvector/pgvector:pg15"),
    volumeMounts: { "/var/lib/postgresql/data": postgresVolume },
    env: {
      POSTGRES_USER: "app",
      POSTGRES_PASSWORD: preserve(),
      POSTGRES_DB: "api_only",
      PGDATA: "/var/lib/postgresql/data/pgdata",
    },
  });

  const uploads = volume("uploads");
  // The FastAPI app in backend/.
  const app = service("app", {
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "ops/production/deploy/railway/app.Dockerfile",
      watchPatterns: [
        "/backend/**",
        "/ops/production/deploy/railway/app.Dockerfile",
        "/ops/production/deploy/railway/app.Dockerfile.dockerignore",
        "/ops/production/deploy/entrypoint.sh",
        "/ops/production/deploy/trim-symbols.py",
        "/ops/production/deploy/migrate.sh",
        "/database/migrations/**",
      ],
    },
    // If it fails, the old version keeps serving.
    preDeploy: "entrypoint migrate pgcrypto uuid-ossp vector",
    healthcheck: "/health",
    healthcheckTimeout: 120,
    deploy: {
      restartPolicyType: "ON_FAILURE",
      restartPolicyMaxRetries: 10,
      drainingSeconds: 30,
    },
    // A volume belongs to one container, which stops before the next one starts, and to root: so does the app.
    volumeMounts: { "/app/uploads": uploads },
    env: {
      SECRET_KEY: preserve(),
      ENVIRONMENT: "production",
      POSTGRES_SERVER: postgresService.env.RAILWAY_PRIVATE_DOMAIN,
      POSTGRES_PORT: "5432",
      POSTGRES_USER: postgresService.env.POSTGRES_USER,
      POSTGRES_PASSWORD: postgresService.env.POSTGRES_PASSWORD,
      POSTGRES_DB: postgresService.env.POSTGRES_DB,
      REDIS_HOST: redisService.env.REDISHOST,
      REDIS_PORT: redisService.env.REDISPORT,
      REDIS_DB: "0",
      REDIS_PASSWORD: redisService.env.REDISPASSWORD,
      SQLALCHEMY_DRIVER: "psycopg2",
      WEB_CONCURRENCY: "2",
      FORWARDED_ALLOW_IPS: "*",
      ACCESS_TOKEN_EXPIRE_MINUTES: preserve(),
      REFRESH_TOKEN_EXPIRE_DAYS: preserve(),
      PROJECT_NAME: preserve(),
      API_V1_STR: preserve(),
      BACKEND_CORS_ORIGINS: preserve(),
      SMTP_HOST: preserve(),
      SMTP_PORT: preserve(),
      SMTP_USER: preserve(),
      SMTP_PASSWORD: preserve(),
      SMTP_TLS: preserve(),
      MAX_UPLOAD_SIZE: preserve(),
      ALLOWED_EXTENSIONS: preserve(),
      LOG_LEVEL: preserve(),
      LOG_FORMAT: preserve(),
      TRUST_HOST: preserve(),
      ALLOWED_HOSTS: preserve(),
      RATE_LIMIT_ENABLED: preserve(),
      RATE_LIMIT_REQUESTS: preserve(),
      RATE_LIMIT_WINDOW: preserve(),
      SENTRY_DSN: preserve(),
      ENABLE_METRICS: preserve(),
      DEBUG: preserve(),
      PORT: "8000",
      RAILWAY_RUN_UID: "0",
    },
  });

  return project("api-only", {
    resources: [
      redisService,
      postgresService,
      postgresVolume,
      uploads,
      app,
    ],
  });
});
