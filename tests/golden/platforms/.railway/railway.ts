// all on Railway; deploy/railway/README.md has the first steps. What would change, and then do it:
//   railway config plan
//   railway config apply
//
// preserve() keeps what is set in Railway, so that no secret is in this file.
// watchPatterns are for a connected repository: which changes are worth a deployment.
import {
  defineRailway,
  image,
  mongo,
  preserve,
  project,
  redis,
  service,
  volume,
} from "railway/iac";

export default defineRailway(() => {
  // From Railway's templates, each with a volume.
  const mongodbService = mongo("mongodb");
  const redisService = redis("redis");

  // Chroma, which Railway does not offer: its image, with a volume.
  const chromaVolume = volume("chroma-data");
  const chromaService = service("chroma", {
    source: image("chromadb/chroma:1.0.0"),
    volumeMounts: { "/data": chromaVolume },
    env: {
      ANONYMIZED_TELEMETRY: "FALSE",
    },
  });

  // PostgreSQL, which Railway does not offer with these extensions: its image, with a volume.
  const postgresVolume = volume("postgres-data");
  const postgresService = service("postgres", {
    source: image("pgvector/pgvector:pg15"),
    volumeMounts: { "/var/lib/postgresql/data": postgresVolume },
    env: {
      POSTGRES_USER: "app",
      POSTGRES_PASSWORD: preserve(),
      POSTGRES_DB: "all",
      PGDATA: "/var/lib/postgresql/data/pgdata",
    },
  });

  // The FastAPI app in backend/.
  const app = service("app", {
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "deploy/railway/app.Dockerfile",
      watchPatterns: [
        "/backend/**",
        "/deploy/railway/app.Dockerfile",
        "/deploy/railway/app.Dockerfile.dockerignore",
        "/deploy/entrypoint.sh",
        "/deploy/trim-symbols.py",
        "/deploy/migrate.sh",
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
    env: {
      SECRET_KEY: preserve(),
      ENVIRONMENT: "production",
      CHROMA_HOST: chromaService.env.RAILWAY_PRIVATE_DOMAIN,
      CHROMA_PORT: "8000",
      MONGODB_HOST: mongodbService.env.MONGOHOST,
      MONGODB_PORT: mongodbService.env.MONGOPORT,
      MONGODB_USERNAME: mongodbService.env.MONGOUSER,
      MONGODB_PASSWORD: mongodbService.env.MONGOPASSWORD,
      MONGODB_DATABASE: "all",
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
      WEB_CONCURRENCY: "auto",
      FORWARDED_ALLOW_IPS: "*",
      SITE_URLS: "https://${{frontend.RAILWAY_PUBLIC_DOMAIN}}",
      OWN_URL: "https://${{RAILWAY_PUBLIC_DOMAIN}}",
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
    },
  });

  // The Next.js app in frontend/.
  const frontend = service("frontend", {
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "deploy/railway/frontend.Dockerfile",
      watchPatterns: [
        "/frontend/**",
        "/deploy/railway/frontend.Dockerfile",
        "/deploy/railway/frontend.Dockerfile.dockerignore",
        "/deploy/entrypoint.sh",
      ],
    },
    healthcheck: "/api/health",
    healthcheckTimeout: 120,
    deploy: {
      restartPolicyType: "ON_FAILURE",
      restartPolicyMaxRetries: 10,
      drainingSeconds: 30,
    },
    env: {
      BACKEND_URL: "http://${{app.RAILWAY_PRIVATE_DOMAIN}}:${{app.PORT}}",
      SITE_URLS: "https://${{RAILWAY_PUBLIC_DOMAIN}}",
      NEXT_PUBLIC_API_URL: "https://${{app.RAILWAY_PUBLIC_DOMAIN}}",
      NEXT_PUBLIC_API_VERSION: preserve(),
      NEXT_PUBLIC_APP_NAME: preserve(),
      NEXT_PUBLIC_APP_VERSION: preserve(),
      NEXT_PUBLIC_APP_ENV: preserve(),
      NEXT_PUBLIC_GA_ID: preserve(),
      NEXT_PUBLIC_VERCEL_ANALYTICS: preserve(),
      NEXT_PUBLIC_SENTRY_DSN: preserve(),
      NEXT_PUBLIC_IMAGE_DOMAINS: preserve(),
      NEXT_PUBLIC_IMAGE_SIZES: preserve(),
      NEXT_PUBLIC_FEATURE_DARK_MODE: preserve(),
      NEXT_PUBLIC_FEATURE_NOTIFICATIONS: preserve(),
      NEXT_PUBLIC_FEATURE_BETA_FEATURES: preserve(),
      NEXT_PUBLIC_DEV_MODE: preserve(),
      NEXT_PUBLIC_DEBUG: preserve(),
      NEXT_PUBLIC_FAST_REFRESH: preserve(),
      NEXT_PUBLIC_OPTIMIZE_IMAGES: preserve(),
      NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY: preserve(),
      NEXTAUTH_URL: preserve(),
      NEXTAUTH_SECRET: preserve(),
      SESSION_TIMEOUT: preserve(),
      GOOGLE_CLIENT_ID: preserve(),
      GOOGLE_CLIENT_SECRET: preserve(),
      GITHUB_CLIENT_ID: preserve(),
      GITHUB_CLIENT_SECRET: preserve(),
      SENTRY_AUTH_TOKEN: preserve(),
      ANALYZE: preserve(),
      STRIPE_SECRET_KEY: preserve(),
      EMAIL_SERVICE_API_KEY: preserve(),
      PORT: "3000",
    },
  });

  // Background jobs: the same image, another command.
  const worker = service("worker", {
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "deploy/railway/app.Dockerfile",
      watchPatterns: [
        "/backend/**",
        "/deploy/railway/app.Dockerfile",
        "/deploy/railway/app.Dockerfile.dockerignore",
        "/deploy/entrypoint.sh",
        "/deploy/trim-symbols.py",
        "/deploy/migrate.sh",
        "/database/migrations/**",
      ],
    },
    // Services start by themselves: who is first brings the schema up to date, the other finds nothing to do.
    preDeploy: "entrypoint migrate pgcrypto uuid-ossp vector",
    start: "entrypoint celery --app app.worker:celery_app worker",
    deploy: {
      restartPolicyType: "ON_FAILURE",
      restartPolicyMaxRetries: 10,
      drainingSeconds: 30,
    },
    env: {
      SECRET_KEY: app.env.SECRET_KEY,
      ENVIRONMENT: "production",
      CHROMA_HOST: chromaService.env.RAILWAY_PRIVATE_DOMAIN,
      CHROMA_PORT: "8000",
      MONGODB_HOST: mongodbService.env.MONGOHOST,
      MONGODB_PORT: mongodbService.env.MONGOPORT,
      MONGODB_USERNAME: mongodbService.env.MONGOUSER,
      MONGODB_PASSWORD: mongodbService.env.MONGOPASSWORD,
      MONGODB_DATABASE: "all",
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
      WEB_CONCURRENCY: "auto",
      FORWARDED_ALLOW_IPS: "*",
      SITE_URLS: "https://${{frontend.RAILWAY_PUBLIC_DOMAIN}}",
      OWN_URL: "https://${{app.RAILWAY_PUBLIC_DOMAIN}}",
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
    },
  });

  const schedulerVolume = volume("schedule");
  // Starts scheduled jobs: the same image, another command.
  const scheduler = service("scheduler", {
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "deploy/railway/app.Dockerfile",
      watchPatterns: [
        "/backend/**",
        "/deploy/railway/app.Dockerfile",
        "/deploy/railway/app.Dockerfile.dockerignore",
        "/deploy/entrypoint.sh",
        "/deploy/trim-symbols.py",
        "/deploy/migrate.sh",
        "/database/migrations/**",
      ],
    },
    start:
      "entrypoint celery --app app.worker:celery_app beat --schedule /var/lib/celery/celerybeat-schedule",
    deploy: {
      restartPolicyType: "ON_FAILURE",
      restartPolicyMaxRetries: 10,
      drainingSeconds: 30,
    },
    // When each scheduled job ran last. With a volume, the old one stops before the new one starts: two would start every job twice.
    volumeMounts: { "/var/lib/celery": schedulerVolume },
    env: {
      SECRET_KEY: app.env.SECRET_KEY,
      ENVIRONMENT: "production",
      CHROMA_HOST: chromaService.env.RAILWAY_PRIVATE_DOMAIN,
      CHROMA_PORT: "8000",
      MONGODB_HOST: mongodbService.env.MONGOHOST,
      MONGODB_PORT: mongodbService.env.MONGOPORT,
      MONGODB_USERNAME: mongodbService.env.MONGOUSER,
      MONGODB_PASSWORD: mongodbService.env.MONGOPASSWORD,
      MONGODB_DATABASE: "all",
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
      WEB_CONCURRENCY: "auto",
      FORWARDED_ALLOW_IPS: "*",
      SITE_URLS: "https://${{frontend.RAILWAY_PUBLIC_DOMAIN}}",
      OWN_URL: "https://${{app.RAILWAY_PUBLIC_DOMAIN}}",
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
      RAILWAY_RUN_UID: "0",
    },
  });

  return project("all", {
    resources: [
      mongodbService,
      redisService,
      chromaService,
      postgresService,
      chromaVolume,
      postgresVolume,
      app,
      frontend,
      worker,
      schedulerVolume,
      scheduler,
    ],
  });
});
