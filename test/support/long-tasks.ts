import type { Page } from 'playwright-core'

interface ObservedWindow {
  longTasks: number[]
}

/** Notes from the next load on for how long the page's main thread was busy without a break, above 50 ms. */
export async function observeLongTasks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const observed = window as unknown as ObservedWindow
    observed.longTasks = []
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) observed.longTasks.push(duration)
    }).observe({ type: 'longtask', buffered: true })
  })
}

/** In words; begins anew. For people to read: how long a task takes depends on the machine. */
export async function describeLongTasks(page: Page): Promise<string> {
  const tasks = await page.evaluate(() => (window as unknown as ObservedWindow).longTasks.splice(0))
  const longest = Math.round(Math.max(0, ...tasks))
  const sum = Math.round(tasks.reduce((total, duration) => total + duration, 0))
  return `${tasks.length} long tasks, longest ${longest} ms, ${sum} ms in all`
}
