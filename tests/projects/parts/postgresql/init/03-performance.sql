-- Development only. Fails on a real server: shared_buffers needs a restart.
SET shared_buffers = '256MB';

-- Fails too: the extension is neither created nor preloaded.
CREATE OR REPLACE VIEW slow_queries AS
SELECT query, calls, mean_exec_time
FROM pg_stat_statements
ORDER BY mean_exec_time DESC;
