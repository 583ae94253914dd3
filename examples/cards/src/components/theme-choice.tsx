import type { JSX } from 'react'
import type { Theme } from '../hooks/use-theme.js'

export interface ThemeChoiceProps {
  readonly theme: Theme
  readonly onTheme: (theme: Theme) => void
  /** Tells the two places apart in which it may be. */
  readonly name: string
}

const THEMES = [
  ['system', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const

export function ThemeChoice({ theme, onTheme, name }: ThemeChoiceProps): JSX.Element {
  return (
    <fieldset className="theme-choice">
      <legend className="visually-hidden">Theme</legend>
      {THEMES.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            value={value}
            checked={theme === value}
            onChange={() => onTheme(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}
