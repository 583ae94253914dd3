import fc from 'fast-check'

// A mutant only has to be noticed: looking for the smallest counterexample would take most of the time.
fc.configureGlobal({ endOnFailure: true })
