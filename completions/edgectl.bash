# bash completion for edgectl; written by `edgectl completion bash`
_edgectl() {
  local line mode=none value current=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) mode=${line#:} ;;
      *)
        value=${line%%$'\t'*}
        [[ $value == "$current"* ]] && COMPREPLY+=("$value")
        ;;
    esac
  done < <(edgectl __complete -- "${words[@]}" 2>/dev/null)
  case $mode in
    files) compopt -o default 2>/dev/null ;;
    dirs) compopt -o dirnames 2>/dev/null ;;
  esac
  return 0
}
complete -F _edgectl edgectl
