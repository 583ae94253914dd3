/** How many connections each user has. */
export interface UserConnections {
  of(user: string): number
  add(user: string): void
  remove(user: string): void
}

export function createUserConnections(): UserConnections {
  const counts = new Map<string, number>()
  return {
    of: (user) => counts.get(user) ?? 0,
    add: (user) => void counts.set(user, (counts.get(user) ?? 0) + 1),
    remove(user) {
      const left = (counts.get(user) ?? 0) - 1
      if (left > 0) counts.set(user, left)
      else counts.delete(user)
    },
  }
}
