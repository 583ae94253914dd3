// A changelog in the words of the changesets: no commit hashes, and no lines about the packages of this repository
// that depend on each other, since they share one version.
module.exports = {
  getReleaseLine: async ({ summary }) => `- ${summary.trim().replaceAll('\n', '\n  ')}`,
  getDependencyReleaseLine: async () => '',
}
