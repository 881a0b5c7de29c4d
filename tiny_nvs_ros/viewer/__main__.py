import sys

from tiny_nvs_ros.viewer.server import main

if __name__ == "__main__":
    sys.exit(main())
