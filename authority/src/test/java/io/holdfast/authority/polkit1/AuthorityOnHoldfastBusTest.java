package io.holdfast.authority.polkit1;

import io.holdfast.dbus.testkit.TestBus;
import java.nio.file.Path;

class AuthorityOnHoldfastBusTest extends AuthorityOnBus {
    @Override
    TestBus start(Path where) {
        return holdfastBus(where);
    }
}
