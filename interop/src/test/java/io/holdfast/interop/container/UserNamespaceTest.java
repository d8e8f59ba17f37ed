package io.holdfast.interop.container;

import io.holdfast.core.testkit.Needs;
import java.util.Set;

/** Servers in a container whose user 0 is an ordinary user of the machine. */
@Needs(userNamespaces = true)
class UserNamespaceTest extends ServersTest {
    UserNamespaceTest() {
        super(
                PlainContainer.Setting.USER_NAMESPACE,
                Set.of(
                        "redis-server.service",
                        "memcached.service",
                        "nginx.service",
                        "haproxy.service",
                        "cron.service",
                        "postfix.service"));
    }
}
