package io.holdfast.authority.polkit1;

import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import java.nio.file.Path;

@Needs(programs = "dbus-daemon")
class AuthorityOnDbusDaemonTest extends AuthorityOnBus {
    @Override
    TestBus start(Path where) throws Exception {
        return DbusDaemon.start(where);
    }
}
