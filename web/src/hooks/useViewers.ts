import { useQuery } from '@tanstack/react-query'

import { viewers } from '../api'

const EVERY_MS = 10_000

/** How many read this session now, asked for while the page is shown; undefined where that is not known. */
export function useViewers(id: string, connected: boolean, share = ''): number | undefined {
  const query = useQuery({
    queryKey: ['viewers', id],
    queryFn: () => viewers(id, share),
    enabled: connected,
    refetchInterval: EVERY_MS,
    retry: false,
  })
  return connected && query.isSuccess ? query.data : undefined
}
