import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { retry, retryDelay } from './api'
import { App } from './App'
import './style.css'
import './cards.css'

// `navigator.onLine` is often wrong, and a server on this very machine needs no network: always try.
const always = { networkMode: 'always', retry, retryDelay } as const
const client = new QueryClient({ defaultOptions: { queries: always, mutations: always } })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
