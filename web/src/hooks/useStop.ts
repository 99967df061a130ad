import { useMutation } from '@tanstack/react-query'

import { stop } from '../api'
import { Refusal } from '../http'

export interface Stopping {
  /** The generation whose stop is on its way, or that is about to end by it; 0 for none. */
  generation: number
  error: Refusal | null
  stop(generation: number): void
}

/** Stop a generation. What it became is told by its terminal entry, not by the reply. */
export function useStop(session: string): Stopping {
  const { mutate, variables, isError, error } = useMutation({
    mutationFn: (generation: number) => stop(session, generation),
  })
  return {
    generation: isError ? 0 : variables ?? 0,
    error: error instanceof Refusal ? error : null,
    stop: mutate,
  }
}
