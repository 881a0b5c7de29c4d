import sys

from tiny_nvs_ros.node.node import main

sys.exit(main())
