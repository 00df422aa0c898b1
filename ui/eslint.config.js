import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import svelteConfig from './svelte.config.js'

const tauri = { group: ['@tauri-apps/*'], message: 'Only src/host/ knows Tauri: use the Host interface.' }

// Which folders of src/components may import which others. `window` composes them all.
const components = {
  primitives: [],
  evidence: ['primitives'],
  editor: ['primitives'],
  'live-cards': ['primitives'],
  sources: ['primitives'],
  relay: ['primitives'],
  doctor: ['primitives'],
  transfer: ['primitives'],
  journal: ['primitives', 'sources'],
  explore: ['primitives', 'evidence', 'editor', 'live-cards'],
}
const componentImports = Object.entries(components).map(([folder, allowed]) => ({
  files: [`src/components/${folder}/**`],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          tauri,
          {
            regex: `^\\.\\./(?!(${allowed.join('|') || '-'})/)[a-z]`,
            message: `components/${folder} imports from: ${allowed.join(', ') || 'none of the other folders'}.`,
          },
        ],
      },
    ],
  },
}))

export default ts.config(
  { ignores: ['dist', 'src/bindings.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      // TypeScript and svelte-check know better what is defined.
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      // State is replaced whole (`$state.raw`), and what is not state is meant not to be reactive.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    files: ['src/**'],
    ignores: ['src/host/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [tauri] }] },
  },
  {
    files: ['src/{state,editor,lib}/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            tauri,
            { group: ['**/components/**'], message: 'Components import state, not the reverse.' },
          ],
        },
      ],
    },
  },
  ...componentImports,
)
