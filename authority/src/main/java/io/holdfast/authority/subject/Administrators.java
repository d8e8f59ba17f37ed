package io.holdfast.authority.subject;

import java.util.List;

/**
 * The users who may authenticate as an administrator.
 *
 * @param uids in the order of the identities that name them, each once; never empty: root alone if
 *     there is no other
 * @param problems the identities that name no known user, each with the reason
 */
public record Administrators(List<Long> uids, List<String> problems) {
    public Administrators {
        uids = List.copyOf(uids);
        problems = List.copyOf(problems);
    }
}
