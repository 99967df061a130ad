import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { models, type Models } from '../api'
import { keep, recall } from '../storage'

const STORED = 'rejoin.model'

export interface Choice {
  /** Undefined until the server has said what it has. */
  models: Models | undefined
  provider: string
  model: string
  choose(provider: string, model: string): void
}

/** The models of this server, and the one that was chosen: this time, or last time if it is still there. */
export function useModels(): Choice {
  const { data } = useQuery({ queryKey: ['models'], queryFn: models, staleTime: Infinity })
  const [chosen, setChosen] = useState(() => recall(STORED)?.split(' ') ?? [])
  const [provider = '', model = ''] = chosen
  const there = data?.providers.some((offered) => offered.name === provider && offered.models.includes(model))
  return {
    models: data,
    ...(there ? { provider, model } : data?.default ?? { provider: '', model: '' }),
    choose: (provider, model) => {
      setChosen([provider, model])
      keep(STORED, `${provider} ${model}`)
    },
  }
}
