# fish completion for edgectl; written by `edgectl completion fish`
function __edgectl_complete
    set -l words (commandline -opc)
    set -e words[1]
    for line in (edgectl __complete -- $words (commandline -ct) 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':dirs'
                __fish_complete_directories (commandline -ct)
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c edgectl -f -a '(__edgectl_complete)'
