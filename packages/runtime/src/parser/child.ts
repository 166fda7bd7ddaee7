/** The program of a parser's child process: reads a record by its reference, and works on the page. */
import { createArchiveReader } from '@copydesk/archive'
import { CleanedPage, type FetchedPage } from '@copydesk/contracts'
import { cleanPage, describePage } from '@copydesk/extraction'
import { PermanentError } from '@copydesk/pipeline'
import { serveTasks } from './serve-tasks.ts'
import type { CleanTask, DescribeTask } from './tasks.ts'

const [deadlineMs, folder] = process.argv.slice(2)
const reader = folder === undefined || folder === '' ? null : createArchiveReader({ folder })

function archive(): NonNullable<typeof reader> {
  if (reader === null) throw new PermanentError('internal', 'this parser pool was made without an archive; give it the page itself')
  return reader
}

serveTasks(
  {
    clean: {
      load: async (task: CleanTask): Promise<FetchedPage> => ('page' in task ? task.page : archive().readCapture(task.ref)),
      work: cleanPage,
    },
    describe: {
      load: async (task: DescribeTask) => {
        const page = 'cleaned' in task ? task.cleaned : CleanedPage.parse((await archive().readRecord(task.ref)).content)
        return { page, captureId: task.captureId }
      },
      work: ({ page, captureId }: { page: CleanedPage; captureId: DescribeTask['captureId'] }) => describePage(page, captureId),
    },
  },
  Number(deadlineMs),
)
