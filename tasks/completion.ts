/**
 * `task completion`: what a shell completes after `contact-sheet`, from the
 * commands' own tables of options.
 *
 * @module
 */
import {
  CommandError,
  COMMON_OPTIONS,
  defineCommand,
  type Option,
  type Options,
  runCommand,
  shellWord,
} from "./command.ts";
import { commands, openCommand } from "./commands.ts";

const help = `Usage: deno task completion bash | zsh | fish

Prints what completes contact-sheet's commands and options, for a shell to read:

  bash  mkdir -p ~/.local/share/bash-completion/completions
        contact-sheet completion bash > \\
          ~/.local/share/bash-completion/completions/contact-sheet
  zsh   contact-sheet completion zsh > FOLDER/_contact-sheet
          with FOLDER on fpath, before compinit
  fish  mkdir -p ~/.config/fish/completions
        contact-sheet completion fish > \\
          ~/.config/fish/completions/contact-sheet.fish`;

/** What follows a command. */
interface Completed {
  name: string;
  description: string;
  options: Options;
  /** Words that may stand there; files, if there are none. */
  words: string[];
}

const SCRIPTS = { bash, zsh, fish };

export const command = defineCommand({
  help,
  positionals: Object.keys(SCRIPTS).join(", "),
}, async ({ positionals }) => {
  const [shell] = positionals;
  if (positionals.length !== 1 || !Object.hasOwn(SCRIPTS, shell)) {
    throw new CommandError(
      `completion: expected bash, zsh or fish, got ${
        positionals.join(" ") || "nothing"
      }`,
    );
  }
  console.log(SCRIPTS[shell as keyof typeof SCRIPTS](await readTable()));
});

async function readTable(): Promise<Completed[]> {
  const names = [...commands.keys()];
  const rows = names.map(async (name): Promise<Completed> => {
    const { options, positionals = "" } = await openCommand(name);
    const { description } = commands.get(name)!;
    const words = /^[a-z]+(, [a-z]+)+$/.test(positionals)
      ? positionals.split(", ")
      : [];
    return {
      name,
      description,
      options: { ...options, ...COMMON_OPTIONS },
      words,
    };
  });
  const description = "What a command does";
  const helped = { name: "help", description, options: {}, words: names };
  return [...await Promise.all(rows), helped];
}

/** "--top -t --json" */
function flagsOf({ options }: Completed): string {
  return Object.entries(options).flatMap(namesOf).join(" ");
}

/** "--top", "-t" */
function namesOf([name, { short }]: [string, Option]): string[] {
  return [`--${name}`, ...short ? [`-${short}`] : []];
}

/**
 * What each option's value may be: "search:--mode" and its words. A value that
 * may be left out stands in the same word, behind "=".
 */
function valuesOf({ name: command, options }: Completed) {
  return Object.entries(options).flatMap(([name, option]) => {
    const { values, optional } = option;
    if (!values) return [];
    const names = optional ? [`--${name}`] : namesOf([name, option]);
    const sign = optional ? "=" : "";
    const keys = names.map((one) => `${command}:${one}${sign}`);
    if (!optional) keys.push(`${command}:--${name}=`);
    return [{ keys, words: values.join(" ") }];
  });
}

function bash(table: Completed[]): string {
  const cases = table.map((row) =>
    `    ${row.name}) flags="${flagsOf(row)}"; words="${
      row.words.join(" ")
    }" ;;`
  );
  const values = table.flatMap(valuesOf).map(({ keys, words }) =>
    `    ${keys.join("|")}) words="${words}"; flags=$words ;;`
  );
  // Where nothing is found the shell completes files: "-o default". "=" is a
  // word of its own there.
  return `_contact_sheet() {
  local word=\${COMP_WORDS[COMP_CWORD]} flags= words= option=
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${names(table)}" -- "$word"))
    return
  fi
  option=\${COMP_WORDS[COMP_CWORD-1]}
  if [[ $word == "=" ]]; then option+="="; word=
  elif [[ $option == "=" ]]; then option=\${COMP_WORDS[COMP_CWORD-2]}=
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  case \${COMP_WORDS[1]}:$option in
${values.join("\n")}
  esac
  if [[ $word == -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _contact_sheet contact-sheet`;
}

function zsh(table: Completed[]): string {
  const described = table.map(({ name, description }) =>
    `    ${shellWord(`${name}:${description}`)}`
  );
  const cases = table.map((row) =>
    `    ${row.name}) flags=(${flagsOf(row)}); values=(${
      row.words.join(" ")
    }) ;;`
  );
  const values = table.flatMap(valuesOf).map(({ keys, words }) =>
    `    ${keys.join("|")}) values=(${words}); flags=() ;;`
  );
  return `#compdef contact-sheet
_contact_sheet() {
  local -a names flags values
  local option=$words[CURRENT-1]
  names=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  if [[ $words[CURRENT] == --*=* ]]; then
    option=\${words[CURRENT]%%=*}=
    compset -P '*='
  fi
  case $words[2] in
${cases.join("\n")}
  esac
  case $words[2]:$option in
${values.join("\n")}
  esac
  if [[ $option == *= ]]; then flags=(); fi
  if [[ $words[CURRENT] == -* && -n "$flags" ]]; then
    compadd -- $flags
  elif (( $#values )); then
    compadd -- $values
  else
    _files
  fi
}
if [[ $funcstack[1] == _contact-sheet ]]; then
  _contact_sheet "$@"
else
  compdef _contact_sheet contact-sheet
fi`;
}

function fish(table: Completed[]): string {
  const lines = table.flatMap(({ name, description, options, words }) => {
    const after = `-n '__contact_sheet_runs ${name}'`;
    const flags = Object.entries(options).map(
      ([long, { short, type, optional, values }]) =>
        [
          `complete -c contact-sheet ${after} -l ${long}`,
          ...short ? [`-s ${short}`] : [],
          ...type === "string" && !optional ? ["-r"] : [],
          ...values ? [`-f -a '${values.join(" ")}'`] : [],
        ].join(" "),
    );
    return [
      `complete -c contact-sheet -n __fish_use_subcommand -f -a ${name} -d ${
        shellWord(description)
      }`,
      ...flags,
      ...words.length
        ? [`complete -c contact-sheet ${after} -f -a '${words.join(" ")}'`]
        : [],
    ];
  });
  // Words of a query may be called as a command is: only the first one runs.
  return `function __contact_sheet_runs
  set -l words (commandline -opc)
  test "$words[2]" = "$argv[1]"
end
${lines.join("\n")}`;
}

function names(table: Completed[]): string {
  return table.map(({ name }) => name).join(" ");
}

// Not awaited: among the commands that it opens is this very file.
if (import.meta.main) runCommand(command);
