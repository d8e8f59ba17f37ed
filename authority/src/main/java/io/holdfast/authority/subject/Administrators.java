package io.holdfast.authority.subject;

import java.util.List;

/**
 * Who may authenticate as an administrator.
 *
 * @param uids in the order of the identities that stand for them, each once; never empty: root
 *     alone where nobody else is left
 * @param problems identities that stand for nobody known, and why
 */
public record Administrators(List<Long> uids, List<String> problems) {
    public Administrators {
        uids = List.copyOf(uids);
        problems = List.copyOf(problems);
    }
}
