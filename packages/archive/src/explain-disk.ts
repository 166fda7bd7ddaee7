const CURES: Record<string, string> = {
  ENOSPC: 'the disk is full: free space, or give the archive a larger disk',
  EDQUOT: "the disk quota is used up: free space, or raise the user's quota",
  EFBIG: 'a file may not grow so large here: raise the file size limit (ulimit -f)',
  EROFS: 'the file system is mounted read-only: mount it writable',
  ENOENT: 'the folder is gone: mount or make it',
  ENOTDIR: 'it is no folder: name a folder for the archive',
  EEXIST: 'it is no folder: name a folder for the archive',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  EIO: 'the disk answers with errors: check it',
}

/** A sentence with cause and cure for a fault that the archive's folder gave. */
export function explainDisk(doing: 'read' | 'write to', folder: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const cure = code === 'EACCES' || code === 'EPERM' ? notOurs(doing) : CURES[code]
  return `cannot ${doing} the archive in ${folder}: ${cure ?? message}`
}

function notOurs(doing: 'read' | 'write to'): string {
  const able = doing === 'read' ? 'readable' : 'writable'
  return `the folder is not ${able} for the service's user (uid ${process.getuid?.() ?? 'unknown'}): make it that user's own`
}
