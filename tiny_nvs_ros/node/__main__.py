import sys

from tiny_nvs_ros.node.nvs_node import main

sys.exit(main())
