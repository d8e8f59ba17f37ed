package io.holdfast.authority.rules;

import io.holdfast.authority.subject.Identity;
import java.util.List;
import java.util.Optional;

/**
 * Whom the admin rules name.
 *
 * @param identities as they were named, without those that could not be read; may be empty: root
 * @param steps the admin rules that ran, in order
 * @param failure why there are none though no rule said so
 */
public record AdministratorVerdict(
        List<Identity> identities, List<RuleStep> steps, Optional<String> failure) {
    public AdministratorVerdict {
        identities = List.copyOf(identities);
        steps = List.copyOf(steps);
    }
}
