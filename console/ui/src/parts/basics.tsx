import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'

/** Card is a box with a heading. */
export function Card(p: { title: ComponentChildren; note?: ComponentChildren; children?: ComponentChildren; id?: string }): JSX.Element {
  return <section class="card" id={p.id}><header><h2>{p.title}</h2><span>{p.note}</span></header>{p.children}</section>
}

/** Empty says that there is nothing, and what to do. */
export function Empty(p: { what: string; help?: ComponentChildren }): JSX.Element {
  return <div class="empty"><b>{p.what}</b>{p.help}</div>
}

/** Copy shows text that can be copied, such as a query or a command. */
export function Copy(p: { text: string }): JSX.Element {
  const [done, set] = useState(false)
  return <span class="form" style="flex-wrap:nowrap">
    <code style="overflow-wrap:anywhere">{p.text}</code>
    <button class="chip q" onClick={() => { void navigator.clipboard?.writeText(p.text).then(() => set(true)) }}>{done ? t('copied') : t('copy')}</button>
  </span>
}

/** Reveal hides text behind a word. */
export function Reveal(p: { word: string; children: ComponentChildren }): JSX.Element {
  return <details><summary class="mut" style="cursor:pointer;font-size:12px">{p.word}</summary><div style="padding-top:6px">{p.children}</div></details>
}

/** Asked is the state of a question. While it is asked again, the earlier answer stays. */
export interface Asked<T> { data: T | null; error: string; busy: boolean }

/** useAsked asks when a key changes, and again every so many seconds if every is over 0. A page that nobody sees does not ask. */
export function useAsked<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, every = 0): Asked<T> {
  const [state, set] = useState<Asked<T> & { key: string }>({ data: null, error: '', busy: true, key: '' })
  const latest = useRef(ask)
  latest.current = ask
  useEffect(() => {
    const control = new AbortController()
    let timer = 0
    const once = async () => {
      if (!document.hidden) {
        set((s) => ({ ...s, busy: true }))
        try {
          const data = await latest.current(control.signal)
          if (!control.signal.aborted) set({ data, error: '', busy: false, key })
        } catch (e) {
          if (!control.signal.aborted) set((s) => ({ data: s.key === key ? s.data : null, error: e instanceof Error ? e.message : String(e), busy: false, key }))
        }
      }
      if (every > 0 && !control.signal.aborted) timer = window.setTimeout(() => void once(), every * 1000)
    }
    void once()
    return () => { control.abort(); clearTimeout(timer) }
  }, [key, every])
  return state.key === key || state.key === '' ? state : { data: null, error: '', busy: true }
}

/** Answer shows a question's answer, or that it is asked, failed or empty. */
export function Answer<T>(p: { of: Asked<T>; empty?: (v: T) => boolean; children: (v: T) => ComponentChildren }): JSX.Element {
  const { data, error } = p.of
  if (data === null) return error ? <Empty what={t('failed')} help={error} /> : <Empty what={t('loading')} />
  return <>
    {error && <div class="in bad" role="status">{error}</div>}
    {p.empty?.(data) ? <Empty what={t('noData')} help={t('noDataHelp')} /> : p.children(data)}
  </>
}
