exports.connection = { url: process.env.REDIS_URL, maxRetriesPerRequest: null };
