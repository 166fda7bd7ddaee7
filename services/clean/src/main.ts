import { runPageService } from '@copydesk/runtime'
import { cleanStage } from './stage.ts'

await runPageService(cleanStage)
