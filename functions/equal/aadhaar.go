package equal

// The Verhoeff scheme's dihedral group and permutation (§11).
var (
	verhoeffProduct = func() (d [10][10]int) {
		for i := range 10 {
			for j := range 10 {
				switch {
				case i < 5 && j < 5:
					d[i][j] = (i + j) % 5
				case i < 5:
					d[i][j] = (i+j)%5 + 5
				case j < 5:
					d[i][j] = (i-j+10)%5 + 5
				default:
					d[i][j] = (i - j + 10) % 5
				}
			}
		}
		return d
	}()
	verhoeffPermutation = func() (p [8][10]int) {
		p[0] = [10]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		first := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
		for k := 1; k < 8; k++ {
			for x := range 10 {
				p[k][x] = first[p[k-1][x]]
			}
		}
		return p
	}()
)

// validAadhaar reports whether a number has twelve digits, the first of them 2 to 9, and a right check digit.
func validAadhaar(number string) bool {
	return len(number) == 12 && number[0] >= '2' && verhoeff(number)
}

// verhoeff reports whether a string is all digits and its last one is its Verhoeff check digit.
func verhoeff(digits string) bool {
	c := 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i]) - '0'
		if digit < 0 || digit > 9 {
			return false
		}
		c = verhoeffProduct[c][verhoeffPermutation[i%8][digit]]
	}
	return c == 0 && digits != ""
}
