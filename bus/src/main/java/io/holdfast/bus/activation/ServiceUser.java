package io.holdfast.bus.activation;

import io.holdfast.bus.policy.ConfiguredAccounts;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import java.util.List;

/** Builds the command prefix that starts a service as its configured user, with setpriv(1). */
final class ServiceUser {
    private final long own;

    /**
     * @param own the uid that the bus runs as
     */
    ServiceUser(long own) {
        this.own = own;
    }

    /** Returns the words before the command; none if the file names no user or the bus's own. */
    List<String> prefix(ServiceFile service) throws UnknownAccountException, InterruptedException {
        String user = service.user();
        if (user == null) {
            return List.of();
        }
        Account account = new ConfiguredAccounts(Accounts.SYSTEM).user(user);
        if (account.uid() == own) {
            return List.of();
        }
        if (own != 0) {
            throw new UnknownAccountException(
                    ("service user %s: the bus runs as user %d and cannot change users; start it as"
                                    + " root, or with --systemd-activation beside holdfast up")
                            .formatted(user, own));
        }
        return List.of(
                "setpriv",
                "--reuid=" + account.uid(),
                "--regid=" + account.gid(),
                "--init-groups",
                "--");
    }
}
