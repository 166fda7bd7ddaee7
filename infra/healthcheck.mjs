// Plain JavaScript that imports nothing: it runs in every container every ten seconds.
const answer = await fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/readyz`, { signal: AbortSignal.timeout(4000) })
process.exitCode = answer.ok ? 0 : 1
