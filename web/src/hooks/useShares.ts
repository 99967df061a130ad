import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { share, shares, unshare } from '../api'

export type Sharing = ReturnType<typeof useShares>

interface Wanted {
  generation: number | null
  seconds: number
}

/** The links of a session, and what makes and revokes them. */
export function useShares(session: string) {
  const client = useQueryClient()
  const queryKey = ['shares', session]
  const onSettled = () => client.invalidateQueries({ queryKey })
  return {
    links: useQuery({ queryKey, queryFn: () => shares(session) }),
    share: useMutation({
      mutationFn: ({ generation, seconds }: Wanted) => share(session, generation, seconds),
      // Sent once more, it would be another link.
      retry: false,
      onSettled,
    }),
    revoke: useMutation({ mutationFn: (shareId: string) => unshare(session, shareId), onSettled }),
  }
}
