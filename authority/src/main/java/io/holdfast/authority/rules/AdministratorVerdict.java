package io.holdfast.authority.rules;

import io.holdfast.authority.subject.Identity;
import java.util.List;
import java.util.Optional;

/**
 * The administrators that the admin rules name.
 *
 * @param identities as the rule named them, without invalid ones; may be empty: root
 * @param steps the admin rules that ran, in order
 * @param failure why there are no identities although no rule returned an empty array
 */
public record AdministratorVerdict(
        List<Identity> identities, List<RuleStep> steps, Optional<String> failure) {
    public AdministratorVerdict {
        identities = List.copyOf(identities);
        steps = List.copyOf(steps);
    }
}
