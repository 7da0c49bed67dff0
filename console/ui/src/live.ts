import { useEffect, useState } from 'preact/hooks'
import type { Snapshot } from './api'

/** Live is the latest value of a topic, and whether the stream is up. */
export interface Live<T> { value: T | null; connected: boolean }

/** useLive follows a topic of the event stream. A page that nobody sees does not follow it. */
function useLive<T>(topic: string): Live<T> {
  const [state, set] = useState<Live<T>>({ value: null, connected: false })
  useEffect(() => {
    let source: EventSource | null = null
    const open = () => {
      if (source || document.hidden) return
      source = new EventSource('/api/live?topics=' + topic)
      source.addEventListener('open', () => set((s) => ({ ...s, connected: true })))
      source.addEventListener('error', () => set((s) => ({ ...s, connected: false })))
      source.addEventListener(topic, (e) => set({ value: JSON.parse((e as MessageEvent<string>).data) as T, connected: true }))
    }
    const close = () => { source?.close(); source = null }
    const onVisibility = () => (document.hidden ? close() : open())
    document.addEventListener('visibilitychange', onVisibility)
    open()
    return () => { document.removeEventListener('visibilitychange', onVisibility); close() }
  }, [topic])
  return state
}

export const useMap = (): Live<Snapshot> => useLive<Snapshot>('map')
