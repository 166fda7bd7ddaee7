import { runPageService } from '@copydesk/runtime'
import { extractMetadataStage } from './stage.ts'

await runPageService(extractMetadataStage)
