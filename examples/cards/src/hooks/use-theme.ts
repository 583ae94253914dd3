import { useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'

/** Also read by public/theme.js, before the first paint. */
const KEY = 'theme'

/** The chosen theme. `system` follows the device; the others are kept in this browser. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const { theme } = document.documentElement.dataset
    return theme === 'light' || theme === 'dark' ? theme : 'system'
  })
  return [
    theme,
    (next) => {
      setTheme(next)
      apply(next)
    },
  ]
}

function apply(theme: Theme): void {
  const { dataset } = document.documentElement
  if (theme === 'system') delete dataset['theme']
  else dataset['theme'] = theme
  try {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
}
