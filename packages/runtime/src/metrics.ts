import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** The figures of one process, in Prometheus' text format. */
export function createMetrics(service: string) {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'copydesk_stage_duration_seconds',
    help: 'How long a stage worked on a job',
    labelNames: ['stage', 'result'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const jobs = new Counter({
    name: 'copydesk_jobs_total',
    help: 'Jobs by what became of them',
    labelNames: ['stage', 'result', 'outcome', 'code'],
    registers: [registry],
  })
  return {
    contentType: registry.contentType,
    text: async (): Promise<string> => await registry.metrics(),
    /** Counts what the runner did about a job. */
    observe(job: { stage: string; result: string; outcome?: string; code?: string; ms: number }): void {
      duration.observe({ stage: job.stage, result: job.result }, job.ms / 1000)
      jobs.inc({ stage: job.stage, result: job.result, outcome: job.outcome ?? '', code: job.code ?? '' })
    },
  }
}
