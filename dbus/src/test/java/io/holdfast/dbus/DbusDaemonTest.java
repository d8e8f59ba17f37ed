package io.holdfast.dbus;

import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.testkit.CallingOnBus;
import io.holdfast.dbus.testkit.ConnectingOnBus;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.GivingOnBus;
import io.holdfast.dbus.testkit.ObjectsOnBus;
import io.holdfast.dbus.testkit.PassingOnBus;
import io.holdfast.dbus.testkit.SignalsOnBus;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.testkit.ToolsOnBus;
import io.holdfast.dbus.testkit.TypedOnBus;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;

/** The client on dbus-daemon, the reference bus. */
@Needs(programs = "dbus-daemon")
class DbusDaemonTest {
    @Nested
    class Connecting extends ConnectingOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Calling extends CallingOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Signals extends SignalsOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Objects extends ObjectsOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Passing extends PassingOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Tools extends ToolsOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Giving extends GivingOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }

    @Nested
    class Typed extends TypedOnBus {
        @Override
        protected TestBus start(Path folder) throws IOException {
            return DbusDaemon.start(folder);
        }
    }
}
